export const OPEN_STORE = 'qcrbox:open-store';
