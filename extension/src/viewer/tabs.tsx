import * as React from 'react';

export interface ITab {
  name: string;
  label: string;
  content(): React.ReactNode;
}

/** A tab that is asked for from outside: each new object asks once more. */
export interface IAskedTab {
  name: string;
}

/** Tabs as the ARIA pattern has them: arrow keys choose, the content of the chosen one alone is made. */
export function Tabs({ tabs, label, asked }: { tabs: ITab[]; label: string; asked?: IAskedTab }): JSX.Element {
  const id = React.useId();
  const [wanted, choose] = React.useState(asked?.name ?? '');
  React.useEffect(() => {
    if (asked) {
      choose(asked.name);
    }
  }, [asked]);
  const strip = React.useRef<HTMLDivElement>(null);
  const chosen = tabs.find(tab => tab.name === wanted) ?? tabs[0];
  const press = (event: React.KeyboardEvent) => {
    const place = tabs.findIndex(tab => tab === chosen);
    const step = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = step === undefined ? undefined : tabs[(step + tabs.length) % tabs.length];
    if (next) {
      event.preventDefault();
      choose(next.name);
      strip.current?.querySelector<HTMLElement>(`[data-tab="${next.name}"]`)?.focus();
    }
  };
  return (
    <div className="qcrbox-Tabs">
      <div role="tablist" aria-label={label} ref={strip} onKeyDown={press}>
        {tabs.map(tab => (
          <button
            key={tab.name}
            id={`${id}-${tab.name}`}
            role="tab"
            data-tab={tab.name}
            aria-selected={tab === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => choose(tab.name)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      {chosen && (
        <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen.name}`} tabIndex={0} key={chosen.name}>
          {chosen.content()}
        </div>
      )}
    </div>
  );
}
