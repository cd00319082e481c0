/** Args: id of a stored data file. */
export const OPEN_STORED = 'qcrbox:open-stored-file';
