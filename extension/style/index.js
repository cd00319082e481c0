import './base.css';
import './session.css';
import './projects.css';
import './exercise.css';
