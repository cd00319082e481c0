/** Args: id of a project; without one the list. */
export const OPEN_PROJECTS = 'qcrbox:open-projects';
