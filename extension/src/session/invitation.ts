import { PageConfig, URLExt } from '@jupyterlab/coreutils';

/** In the address of Lab: the session that the person was asked to look at. */
const QUERY = 'qcrbox-session';
export const INVITED = new RegExp(`[?&]${QUERY}=([0-9a-f]{32})(?=[&#]|$)`);

/**
 * An address that opens a session to look on, in the Lab of whoever follows it; through a hub that is their own.
 * It opens nothing by itself: the registry asks who comes, and whether the session's owner allows it.
 */
export function invitation(id: string): string {
  return `${URLExt.join(PageConfig.getShareUrl(), 'lab')}?${QUERY}=${id}`;
}

/** The same address without the session: a reload of the page, or a copy of its address, asks for nothing. */
export function withoutInvitation(address: string): string {
  const url = new URL(address);
  url.searchParams.delete(QUERY);
  return url.pathname + url.search + url.hash;
}
