const KEY = 'qcrbox:structure-look';
/** How a structure is drawn; what is shown of it (growth, parts) belongs to each structure. */
const REMEMBERED = ['ellipsoids', 'labels', 'cell', 'palette', 'perspective', 'hydrogens', 'hydrogen_bonds'] as const;

export type Look = Partial<Record<(typeof REMEMBERED)[number], unknown>>;

/** The options of structure views that a person chose last in Lab, for the next view in this browser. */
export class RememberedLook {
  constructor(private readonly storage?: Pick<Storage, 'getItem' | 'setItem'>) {}

  get options(): Look {
    try {
      const kept: unknown = JSON.parse(this.storage?.getItem(KEY) ?? '{}');
      return chosenOf(kept);
    } catch {
      return {}; // written by something else, or storage that the browser refuses
    }
  }

  /** Take the options out of a message of the widget. */
  hear(message: unknown): void {
    const { do: act, options } = (message ?? {}) as { do?: unknown; options?: unknown };
    const chosen = act === 'set' || act === 'note' ? chosenOf(options) : {};
    if (Object.keys(chosen).length === 0) {
      return;
    }
    try {
      this.storage?.setItem(KEY, JSON.stringify({ ...this.options, ...chosen }));
    } catch {
      // A full or forbidden storage: the next view has its defaults.
    }
  }
}

function chosenOf(options: unknown): Look {
  const given = (typeof options === 'object' && options !== null ? options : {}) as Look;
  return Object.fromEntries(REMEMBERED.filter(name => name in given).map(name => [name, given[name]]));
}
