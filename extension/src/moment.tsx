import * as React from 'react';

import { type ITitle, timeOf } from './titles';

/** A moment on the reader's clock, as everywhere in these pages; under the pointer in ISO 8601, for notes and mails. */
export function Moment({ iso }: { iso: string | null | undefined }): JSX.Element | null {
  const at = new Date(iso ?? '');
  return Number.isNaN(at.getTime()) ? null : (
    <time dateTime={at.toISOString()} title={at.toISOString()}>
      {timeOf(iso)}
    </time>
  );
}

/** A title whose time shows its date in full under the pointer. */
export function Title({ words, at }: ITitle): JSX.Element {
  return (
    <>
      {words}
      {timeOf(at) && ' · '}
      <Moment iso={at} />
    </>
  );
}
