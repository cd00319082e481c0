/** Asks for files and stores them. */
export const UPLOAD = 'qcrbox:upload';
