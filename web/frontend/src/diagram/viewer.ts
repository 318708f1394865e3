// One read-only diagram: loading, zoom buttons, selection. The bpmn.io mark is left exactly as the library draws it.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import type Canvas from 'diagram-js/lib/core/Canvas';
import type ElementRegistry from 'diagram-js/lib/core/ElementRegistry';
import type EventBus from 'diagram-js/lib/core/EventBus';
import type Overlays from 'diagram-js/lib/features/overlays/Overlays';
import type { Point } from 'diagram-js/lib/util/Types';

const MIDDLE = 'auto' as unknown as Point; // the library takes this word, its types do not know it
const SELECTED = 'is-selected';
const READABLE = 0.55; // below this zoom the names of the steps cannot be read
const LARGEST = 1.1;
const MARGIN = 40;

export class Diagram {
  readonly canvas: Canvas;
  readonly overlays: Overlays;
  readonly registry: ElementRegistry;
  private selected: string | undefined;

  constructor(
    private readonly viewer: NavigatedViewer,
    readonly box: HTMLElement,
  ) {
    this.canvas = viewer.get<Canvas>('canvas');
    this.overlays = viewer.get<Overlays>('overlays');
    this.registry = viewer.get<ElementRegistry>('elementRegistry');
  }

  has(id: string): boolean {
    return this.registry.get(id) !== undefined;
  }

  /** Give the box the height that the drawing needs at its width, within bounds. */
  fitHeight(): void {
    const { inner, outer } = this.canvas.viewbox();
    const zoom = Math.min(Math.max((outer.width - MARGIN) / inner.width, READABLE), LARGEST);
    const wanted = inner.height * zoom + 2 * MARGIN;
    this.box.style.height = `${Math.round(Math.min(Math.max(wanted, 220), 560))}px`;
    this.canvas.resized();
  }

  /** Show the whole drawing, centred, with room for the badges at its edges. */
  fit(): void {
    const { inner, outer } = this.canvas.viewbox();
    const zoom = Math.min((outer.width - MARGIN) / inner.width, (outer.height - MARGIN) / inner.height, LARGEST);
    const [width, height] = [outer.width / zoom, outer.height / zoom];
    const [x, y] = [inner.x - (width - inner.width) / 2, inner.y - (height - inner.height) / 2];
    this.canvas.viewbox({ x, y, width, height });
  }

  /** Show it all if its names can then be read, else its beginning at a readable size. */
  open(): void {
    this.fitHeight();
    this.fit();
    if (this.canvas.zoom() >= READABLE) return;
    const { inner, outer } = this.canvas.viewbox();
    const zoom = Math.min(Math.max((outer.width - MARGIN) / inner.width, READABLE), LARGEST);
    const [width, height] = [outer.width / zoom, outer.height / zoom];
    const y = height < inner.height ? inner.y - MARGIN / 2 : inner.y + inner.height / 2 - height / 2;
    const x = width < inner.width ? inner.x - MARGIN : inner.x - (width - inner.width) / 2;
    this.canvas.viewbox({ x, y, width, height });
  }

  /** Bring an element into view without changing the zoom. */
  reveal(id: string): void {
    this.canvas.scrollToElement(id, { top: 60, bottom: 60, left: 60, right: 60 });
  }

  zoomBy(factor: number): void {
    this.canvas.zoom(Math.min(Math.max(this.canvas.zoom() * factor, 0.2), 4), MIDDLE);
  }

  /** Put a frame around one element and bring it into view; undefined takes the frame away. */
  select(id: string | undefined): void {
    if (this.selected !== undefined && this.has(this.selected)) this.canvas.removeMarker(this.selected, SELECTED);
    this.selected = id !== undefined && this.has(id) ? id : undefined;
    if (this.selected === undefined) return;
    this.canvas.addMarker(this.selected, SELECTED);
    this.reveal(this.selected);
  }

  /** Fasten a badge to the upper edge of an element. */
  badge(id: string, html: HTMLElement): string {
    const { width = 0 } = this.registry.get(id) as { width?: number };
    const position = width >= 80 ? { top: -11, left: 6 } : { top: -9, left: -8 };
    return this.overlays.add(id, { position, html, scale: { min: 0.85, max: 1.2 } });
  }

  onClick(listen: (id: string) => void): void {
    this.viewer.get<EventBus>('eventBus').on('element.click', (event: { element: { id: string } }) => {
      listen(event.element.id.replace(/_label$/, ''));
    });
  }
}

function addButtons(diagram: Diagram): void {
  const card = diagram.box.closest('[data-diagram-card]');
  const actions: Record<string, () => void> = {
    in: () => diagram.zoomBy(1.25),
    out: () => diagram.zoomBy(0.8),
    fit: () => diagram.fit(),
  };
  card?.querySelectorAll<HTMLButtonElement>('button[data-zoom]').forEach((button) => {
    button.addEventListener('click', () => actions[button.dataset.zoom ?? '']?.());
  });
  card?.classList.add('is-ready');
}

const LABEL_WIDTH = 110; // English names need more room than the Chinese ones that were drawn

function childOf(element: Element | undefined, name: string): Element | undefined {
  return [...(element?.children ?? [])].find((child) => child.localName === name);
}

/** Give the label of a shape or flow its room: to both sides, or to the right if it stands beside its shape. */
function widenLabel(drawn: Element): void {
  const label = childOf(childOf(drawn, 'BPMNLabel'), 'Bounds');
  if (!label) return;
  const shape = childOf(drawn, 'Bounds');
  const x = Number(label.getAttribute('x'));
  const missing = Math.max(LABEL_WIDTH - Number(label.getAttribute('width')), 0);
  const isBeside = shape !== undefined && x >= Number(shape.getAttribute('x')) + Number(shape.getAttribute('width'));
  label.setAttribute('width', String(Number(label.getAttribute('width')) + missing));
  if (!isBeside) label.setAttribute('x', String(x - missing / 2));
}

/** Names in the reader's language: a diagram carries the English ones beside the names that were drawn. */
function inLanguageOfPage(xml: string): string {
  if (!document.documentElement.lang.startsWith('en')) return xml;
  const diagram = new DOMParser().parseFromString(xml, 'application/xml');
  for (const element of diagram.querySelectorAll('[name]')) {
    const english = [...element.attributes].find((attribute) => attribute.localName === 'nameEn')?.value;
    if (english) element.setAttribute('name', english);
  }
  diagram.querySelectorAll('[bpmnElement]').forEach(widenLabel);
  return new XMLSerializer().serializeToString(diagram);
}

/** Load the drawing of a box with `data-xml-url`; on failure the box says so and undefined is returned. */
export async function openDiagram(box: HTMLElement): Promise<Diagram | undefined> {
  try {
    const answer = await fetch(box.dataset.xmlUrl ?? '', { credentials: 'same-origin' });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const xml = inLanguageOfPage(await answer.text());
    box.replaceChildren();
    const viewer = new NavigatedViewer({ container: box });
    await viewer.importXML(xml);
    const diagram = new Diagram(viewer, box);
    diagram.open();
    addButtons(diagram);
    return diagram;
  } catch (error) {
    console.warn('diagram not shown', error);
    box.replaceChildren(document.createTextNode(box.dataset.textFailed ?? ''));
    box.classList.add('is-failed');
    return undefined;
  }
}
