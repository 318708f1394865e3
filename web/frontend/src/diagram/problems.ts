// Problems of a diagram: a badge on each faulty element; the table row and the element select each other.
import type { Diagram } from './viewer';

interface Marked {
  row: HTMLElement;
  element: string;
  severity: string;
}

function rowsWithElement(): Marked[] {
  return [...document.querySelectorAll<HTMLElement>('[data-problem]')].map((row) => ({
    row,
    element: row.dataset.element ?? '',
    severity: row.dataset.severity ?? 'error',
  }));
}

function highlight(rows: Marked[], element: string): HTMLElement | undefined {
  let first: HTMLElement | undefined;
  for (const { row, element: id } of rows) {
    const chosen = id === element;
    row.classList.toggle('is-selected', chosen);
    if (chosen) first ??= row;
  }
  return first;
}

function addBadge(diagram: Diagram, id: string, problems: Marked[], choose: () => void): void {
  const worst = problems.some((problem) => problem.severity === 'error') ? 'error' : 'warning';
  const badge = document.createElement('button');
  badge.type = 'button';
  badge.className = `diagram-badge is-${worst}`;
  badge.textContent = `${worst === 'error' ? '✕' : '!'} ${problems.length}`;
  const messages = problems.map(({ row }) => row.dataset.message ?? '').join(' ');
  badge.setAttribute('aria-label', `${badge.textContent}: ${messages}`);
  badge.addEventListener('click', choose);
  diagram.badge(id, badge);
  diagram.canvas.addMarker(id, `has-${worst}`);
}

/** Draw the badges and tie the rows of the problem table to the drawing, in both directions. */
export function showProblems(diagram: Diagram): void {
  const rows = rowsWithElement();
  const fromDiagram = (id: string): void => {
    diagram.select(id);
    highlight(rows, id)?.scrollIntoView({ block: 'nearest' });
  };
  const known = rows.filter(({ element }) => diagram.has(element));
  for (const id of new Set(known.map(({ element }) => element))) {
    const here = known.filter(({ element }) => element === id);
    addBadge(diagram, id, here, () => fromDiagram(id));
  }
  diagram.onClick(fromDiagram);
  for (const { row, element } of known) {
    row.querySelector('[data-show-element]')?.addEventListener('click', (event) => {
      event.preventDefault();
      diagram.select(element);
      highlight(rows, element);
      diagram.box.scrollIntoView({ block: 'nearest' });
    });
  }
}
