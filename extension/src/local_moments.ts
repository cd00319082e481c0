import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { timeOf } from './titles';

/** What a kernel marks as a moment: `Dated` in qcrbox.markup. Its text is the clock of the kernel's machine. */
const MOMENTS = 'time.qcrbox-Moment';

/** Write the moments in a part of the page in the reader's time zone and language; ISO 8601 stays under the pointer. */
export function localise(root: ParentNode): void {
  for (const moment of root.querySelectorAll<HTMLTimeElement>(MOMENTS)) {
    moment.textContent = timeOf(moment.getAttribute('datetime')) || moment.textContent;
  }
}

/** A kernel does not know its reader: Lab writes the times of outputs and cards, as it writes those of its own lists. */
export const localMomentsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@qcrbox/lab:local-moments',
  description: "Times of outputs on the reader's clock.",
  autoStart: true,
  activate: () => {
    const observer = new MutationObserver(records => {
      for (const node of records.flatMap(record => [...record.addedNodes])) {
        // A moment alone is found through its parent.
        if (node instanceof Element) {
          localise(node.matches(MOMENTS) && node.parentElement ? node.parentElement : node);
        }
      }
    });
    observer.observe(document.body, { childList: true, subtree: true });
  }
};
