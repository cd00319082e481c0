import { LabIcon } from '@jupyterlab/ui-components';

/** A unit cell with two atoms. */
export const qcrboxIcon = new LabIcon({
  name: 'qcrbox:box',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g fill="none"><path class="jp-icon3 qcrbox-icon-line" stroke="#616161" stroke-width="1.6" stroke-linejoin="round"
    d="M12 2.5 20.5 7v10L12 21.5 3.5 17V7Z M12 12v9.5 M12 12 20.5 7 M12 12 3.5 7"/></g>
  <ellipse class="jp-icon-selectable" fill="#e4572e" cx="8.7" cy="15.2" rx="2.7" ry="1.8" transform="rotate(-35 8.7 15.2)"/>
  <ellipse class="jp-icon-selectable" fill="#2e9e6b" cx="15.4" cy="10.6" rx="2.4" ry="1.6" transform="rotate(20 15.4 10.6)"/>
</svg>`
});

/** A sheet with an ellipsoid. */
export const cifIcon = new LabIcon({
  name: 'qcrbox:cif',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g fill="none"><path class="jp-icon3 qcrbox-icon-line" stroke="#616161" stroke-width="1.6" stroke-linejoin="round"
    d="M6 2.5h8L19 8v13.5H6Z M14 2.5V8h5"/></g>
  <ellipse class="jp-icon-selectable" fill="#2e9e6b" cx="12.3" cy="15" rx="4" ry="2.5" transform="rotate(-30 12.3 15)"/>
</svg>`
});

/** A window with an ellipsoid. */
export const windowIcon = new LabIcon({
  name: 'qcrbox:window',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g fill="none"><path class="jp-icon3 qcrbox-icon-line" stroke="#616161" stroke-width="1.6" stroke-linejoin="round"
    d="M3 4.5h18v15H3Z M3 8.5h18"/></g>
  <ellipse class="jp-icon-selectable" fill="#e4572e" cx="12" cy="14" rx="4" ry="2.5" transform="rotate(-30 12 14)"/>
</svg>`
});
