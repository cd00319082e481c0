/** Records that the registry answers at once; it refuses more (`qcrbox.contract.pages`). */
export const MOST_OF_A_PAGE = 1000;
