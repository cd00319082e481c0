import * as React from 'react';

import { pythonName } from './notebook/code';

/** What names a command: its name, and its texts, which spell the words of the name. */
interface INamed {
  name: string;
  title?: string;
  description?: string;
}

const WORD = /[\p{L}\p{N}]+/gu;

/** A command as people read it: `refine_iam` with the title "IAM refinement" is "Refine IAM". Words of the name are spelt
 * as the texts have them where those have capitals inside. The same rule stands in qcrbox/spec/titles.py; one table of
 * cases holds both. */
export function commandPhrase({ name, title = '', description = '' }: INamed): string {
  const spelt = new Map<string, string>();
  for (const [word] of `${title} ${description}`.matchAll(WORD)) {
    const rest = word.slice(1);
    if (rest !== rest.toLowerCase() && !spelt.has(word.toLowerCase())) {
      spelt.set(word.toLowerCase(), word);
    }
  }
  const words = name.split('_').filter(Boolean);
  const phrase = words.map(word => spelt.get(word.toLowerCase()) ?? word).join(' ');
  const isSpelt = spelt.has(words[0]?.toLowerCase() ?? '');
  return isSpelt ? phrase : phrase.charAt(0).toUpperCase() + phrase.slice(1);
}

/** As it is called in Python, without `qc.`: `refine.refine_iam`. */
export function commandCall(slug: string, name: string): string {
  return `${pythonName(slug)}.${pythonName(name)}`;
}

/** A command for people, and behind it what it is called in Python. */
export function CommandName({ slug, command }: { slug: string; command: INamed }): JSX.Element {
  return (
    <>
      {commandPhrase(command)} <code className="qcrbox-Call">{commandCall(slug, command.name)}</code>
    </>
  );
}
