/** The browser's notifications, for those who look at another window while they wait. */
export interface IDesktop {
  permission(): string;
  ask(): Promise<string>;
  show(text: string): void;
  /** Whether the page is out of sight. */
  isHidden(): boolean;
}

const KEY = 'qcrbox:desktop-notifications';

/** Whether the ends of long calculations are told outside the page too: off until a person chooses it. */
export class Telling {
  constructor(
    private readonly desktop: IDesktop | undefined,
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  ) {}

  get isPossible(): boolean {
    return this.desktop !== undefined;
  }

  /** Chosen here, and still allowed by the browser. */
  get isOn(): boolean {
    return this.desktop?.permission() === 'granted' && this.storage.getItem(KEY) === 'on';
  }

  /** Turn on or off; false where the browser refuses. */
  async choose(on: boolean): Promise<boolean> {
    this.storage.removeItem(KEY);
    if (!on || !this.desktop) {
      return !on;
    }
    const granted = this.desktop.permission() === 'granted' || (await this.desktop.ask()) === 'granted';
    if (granted) {
      this.storage.setItem(KEY, 'on');
    }
    return granted;
  }

  /** Say it outside the page, if that is wanted and nobody looks at the page. */
  tell(text: string): void {
    if (this.isOn && this.desktop?.isHidden()) {
      this.desktop.show(text);
    }
  }
}

/** Those of this browser; undefined where it has none (plain HTTP, old browsers). */
export function desktopOfBrowser(): IDesktop | undefined {
  if (typeof window.Notification !== 'function' || !window.isSecureContext) {
    return undefined;
  }
  return {
    permission: () => window.Notification.permission,
    ask: () => window.Notification.requestPermission(),
    show: text => {
      // One at a time in the browser's list: the newest end is what matters.
      const note = new window.Notification('QCrBox', { body: text, tag: 'qcrbox-end' });
      note.onclick = () => window.focus();
    },
    isHidden: () => document.hidden || !document.hasFocus()
  };
}
