import type { IRouter, JupyterFrontEnd } from '@jupyterlab/application';

/** A link into Lab that opens something: its query holds the id of it. */
export interface ILink {
  command: string;
  label: string;
  /** Finds the link in the query; its first group is the id. */
  pattern: RegExp;
  /** The address without the link, so that a reload does not follow it again. */
  without: (address: string) => string;
  open: (id: string) => void;
}

/** Adds the command of a link, and follows the link that Lab is opened with. */
export function followLink(app: JupyterFrontEnd, router: IRouter | null, link: ILink): void {
  app.commands.addCommand(link.command, {
    label: link.label,
    execute: async args => {
      const id = link.pattern.exec(String(args['search'] ?? ''))?.[1];
      if (!id) {
        return;
      }
      history.replaceState(history.state, '', link.without(location.href));
      // What was open the last time comes first; what the link opens goes in front of it.
      await app.restored;
      link.open(id);
    }
  });
  router?.register({ command: link.command, pattern: link.pattern });
}
