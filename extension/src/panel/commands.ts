/** Asks for files and stores them. */
export const UPLOAD = 'qcrbox:upload';
/** Turns the browser's notifications of ended calculations on and off. */
export const TELL_OUTSIDE = 'qcrbox:tell-outside';
/** Opens the hub's page where e-mails at the end of calculations are chosen. */
export const TELL_BY_MAIL = 'qcrbox:tell-by-mail';
