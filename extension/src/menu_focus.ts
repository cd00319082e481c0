import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

/** A context menu that is left by Escape gives the focus back to where it was opened from: Lab leaves it nowhere. */
export const menuFocusPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:menu-focus',
  description: 'Gives the focus back after a context menu.',
  autoStart: true,
  activate: ({ contextMenu }: JupyterFrontEnd) => {
    let before: Element | null = null;
    document.addEventListener('contextmenu', () => (before = document.activeElement), true);
    contextMenu.menu.aboutToClose.connect(() => {
      // After the menu has gone, and after a command that was chosen in it took the focus elsewhere.
      requestAnimationFrame(() => {
        if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) {
          before.focus();
        }
      });
    });
  }
};
