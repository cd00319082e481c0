/** Asks for files and stores them. */
export const UPLOAD = 'qcrbox:upload';
/** Turns the browser's notifications of ended calculations on and off. */
export const TELL_OUTSIDE = 'qcrbox:tell-outside';
