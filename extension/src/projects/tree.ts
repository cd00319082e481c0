import type { IProjectNode } from '../registry/types';

/** A line of the tree: the node, the lines in front of it, its level (1: a beginning). */
export interface ITreeRow {
  node: IProjectNode;
  guide: string;
  level: number;
  /** Whether other steps begin with it. */
  hasChildren: boolean;
}

/** The visible rows: a step that follows alone goes straight on, alternatives branch; what is under a folded node is left out. */
export function rowsOf(nodes: IProjectNode[], folded: ReadonlySet<string> = new Set()): ITreeRow[] {
  const children = new Map<string | null, string[]>();
  for (const node of nodes) {
    children.set(node.parent, [...(children.get(node.parent) ?? []), node.id]);
  }
  const above = new Map<string | null, string>([[null, '']]);
  const levels = new Map<string | null, number>([[null, 0]]);
  const hidden = new Set<string>();
  const rows: ITreeRow[] = [];
  for (const node of nodes) {
    const { parent } = node;
    const isHidden = parent !== null && (hidden.has(parent) || folded.has(parent));
    if (isHidden) {
      hidden.add(node.id);
    }
    const siblings = children.get(parent) ?? [];
    const before = above.get(parent) ?? '';
    const level = (levels.get(parent) ?? 0) + 1;
    const isLast = siblings[siblings.length - 1] === node.id;
    const branches = parent !== null && siblings.length > 1;
    const guide = parent === null ? '' : branches ? (isLast ? '└─ ' : '├─ ') : '└ ';
    above.set(node.id, parent === null ? '' : branches ? before + (isLast ? '   ' : '│  ') : before);
    levels.set(node.id, level);
    if (!isHidden) {
      rows.push({ node, guide: parent === null ? '' : before + guide, level, hasChildren: children.has(node.id) });
    }
  }
  return rows;
}

/** What a key does in a tree: the row to go to, or the node to fold or unfold. Undefined: another key. */
export function keyIn(
  rows: ITreeRow[],
  chosen: string,
  key: string,
  folded: ReadonlySet<string>
): { go?: string; fold?: string; unfold?: string } | undefined {
  const place = rows.findIndex(row => row.node.id === chosen);
  const row = rows[place];
  const at = (index: number) => ({ go: rows[Math.max(0, Math.min(rows.length - 1, index))]?.node.id });
  switch (key) {
    case 'ArrowDown':
      return at(place + 1);
    case 'ArrowUp':
      return at(place - 1);
    case 'Home':
      return at(0);
    case 'End':
      return at(rows.length - 1);
    case 'ArrowRight':
      if (row?.hasChildren) {
        return folded.has(chosen) ? { unfold: chosen } : at(place + 1);
      }
      return {};
    case 'ArrowLeft':
      if (row?.hasChildren && !folded.has(chosen)) {
        return { fold: chosen };
      }
      return row?.node.parent ? { go: row.node.parent } : {};
    default:
      return undefined;
  }
}
