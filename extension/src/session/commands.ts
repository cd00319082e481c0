/** The names of Lab's commands; the notebook's output and the panel use them too. */
export const OPEN_SESSION = 'qcrbox:open-session';
export const START_SESSION = 'qcrbox:start-session';
export const FOLLOW_INVITATION = 'qcrbox:follow-invitation';

/** What a session may be called by: never more than an id goes into an address. */
export const SESSION_ID = /^[0-9a-f]{32}$/;
