export const FIRST_REFINEMENT = 'qcrbox:first-refinement';
