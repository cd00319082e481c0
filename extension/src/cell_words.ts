import type { IProject } from './registry/types';

/** "a, b, c Å; α, β, γ°" with their s.u.; empty when the cell is unknown. */
export function cellWords({ cell, cell_text: texts }: Pick<IProject, 'cell' | 'cell_text'>): string {
  const known = cell.filter((value): value is number => typeof value === 'number');
  const shown = texts?.length === 6 ? texts : known.map((value, number) => value.toFixed(number < 3 ? 3 : 2));
  return shown.length === 6 ? `${shown.slice(0, 3).join(', ')} Å; ${shown.slice(3).join(', ')}°` : '';
}
