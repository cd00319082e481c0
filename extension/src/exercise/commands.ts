/** Args: path of a notebook; without it the one that is in front. */
export const MAKE_EXERCISE = 'qcrbox:make-exercise';
