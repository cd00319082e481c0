import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** Parts that are opened from elsewhere, such as Lab's start page. */
export type SectionName = 'calculations' | 'datasets' | 'applications' | 'sessions' | 'exercises';

interface ISectionProps {
  name: SectionName;
  title: string;
  count: number;
  children: React.ReactNode;
}

/** A foldable part of the panel. */
export function Section({ name, title, count, children }: ISectionProps): JSX.Element {
  const [open, setOpen] = React.useState(true);
  const id = React.useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <section className="qcrbox-Section" data-section={name} aria-labelledby={`${id}-title`}>
      <button
        className="qcrbox-Section-title"
        id={`${id}-title`}
        aria-expanded={open}
        aria-controls={`${id}-body`}
        onClick={() => setOpen(!open)}
      >
        <Caret.react tag="span" elementSize="normal" aria-hidden="true" />
        {title}
        <span className="qcrbox-count">{count}</span>
      </button>
      <div className="qcrbox-Section-body" id={`${id}-body`} hidden={!open}>
        {children}
      </div>
    </section>
  );
}
