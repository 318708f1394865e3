// The state of an order drawn on its diagram: done, current, failed, and a text badge for each that has one.
import type { Diagram } from './viewer';

interface States {
  done: string[];
  current: string[];
  failed: string[];
  badges: Record<string, string>;
}

const EVERY_MS = 5000;
const KINDS = ['done', 'current', 'failed'] as const;
type Kind = (typeof KINDS)[number];
const SIGNS: Record<Kind, string> = { done: '✓', current: '▶', failed: '✕' };

function kindsOf(states: States): Map<string, Kind> {
  const kinds = new Map<string, Kind>();
  for (const kind of KINDS) for (const id of states[kind]) kinds.set(id, kind); // a later kind wins
  return kinds;
}

class Painter {
  private painted = new Map<string, Kind>();
  private badges: string[] = [];
  private revealed = false;

  constructor(private readonly diagram: Diagram) {}

  paint(states: States): void {
    const { canvas, overlays } = this.diagram;
    this.painted.forEach((kind, id) => canvas.removeMarker(id, `is-${kind}`));
    this.badges.forEach((badge) => overlays.remove(badge));
    this.badges = [];
    this.painted = kindsOf(states);
    for (const [id, kind] of [...this.painted]) {
      if (!this.diagram.has(id)) {
        this.painted.delete(id);
        continue;
      }
      canvas.addMarker(id, `is-${kind}`);
      this.addBadge(id, kind, states.badges[id]);
    }
    this.revealOnce([...states.failed, ...states.current]);
  }

  /** At first the place where the order stands is brought into view; later the reader's own view is kept. */
  private revealOnce(places: string[]): void {
    const place = places.find((id) => this.diagram.has(id));
    if (this.revealed || place === undefined) return;
    this.revealed = true;
    this.diagram.reveal(place);
  }

  private addBadge(id: string, kind: Kind, text: string | undefined): void {
    if ('waypoints' in (this.diagram.registry.get(id) ?? {})) return;
    const badge = document.createElement('span');
    badge.className = `diagram-badge is-${kind}`;
    badge.textContent = text ? `${SIGNS[kind]} ${text}` : SIGNS[kind];
    this.badges.push(this.diagram.badge(id, badge));
  }
}

/** Ask for the states now and every five seconds while the page is looked at; unchanged answers cost nothing. */
export function followStates(diagram: Diagram, url: string): void {
  const painter = new Painter(diagram);
  let etag = '';
  const ask = async (): Promise<void> => {
    if (document.hidden) return;
    const answer = await fetch(url, {
      credentials: 'same-origin',
      cache: 'no-store',
      headers: etag ? { 'If-None-Match': etag } : {},
    });
    if (answer.status !== 200) return;
    etag = answer.headers.get('ETag') ?? '';
    painter.paint((await answer.json()) as States);
  };
  const tick = (): void => void ask().catch(() => undefined); // no network: the last picture stays, the next tick tries again
  tick();
  setInterval(tick, EVERY_MS);
  document.addEventListener('visibilitychange', tick);
}
