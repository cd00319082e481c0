import './base.css';
import './session.css';
import './exercise.css';
