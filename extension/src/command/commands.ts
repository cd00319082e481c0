/** Args: application (slug), command (name), input (id of a dataset or file); nothing chosen is asked for. */
export const RUN_COMMAND = 'qcrbox:run-command';
/** Args: file (id of a stored one), edits (as `edits=` takes them), form (open the form instead of running). */
export const REFINE_EDITED = 'qcrbox:refine-edited';
/** Args: id of the calculation. */
export const OPEN_RESULT = 'qcrbox:open-result';
/** Args: id of a calculation that has ended. Its call is made again, as a new calculation that opens. */
export const RUN_AGAIN = 'qcrbox:run-again';
/** The files chosen in Lab's file browser. */
export const ADD_CHOSEN_FILES = 'qcrbox:add-chosen-files';
export const REFINE_CHOSEN_FILES = 'qcrbox:refine-chosen-files';
export const VALIDATE_CHOSEN_FILE = 'qcrbox:validate-chosen-file';
