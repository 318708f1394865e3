// Keys for people who live in the worklist. The list shown by "?" is in base.html.

const GO: Record<string, string> = { w: 'worklist', o: 'orders', i: 'incidents', s: 'sla', d: 'definitions' };
const WAIT_MS = 1200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

function focusSearch(): boolean {
  const search = document.querySelector<HTMLInputElement>('input[type=search]');
  search?.focus();
  search?.select();
  return search !== null;
}

function goTo(key: string): boolean {
  const link = document.querySelector<HTMLAnchorElement>(`a[data-go="${GO[key] ?? ''}"]`);
  if (link) location.assign(link.href);
  return link !== null;
}

function showKeys(): boolean {
  const dialog = document.querySelector<HTMLDialogElement>('dialog#keys');
  dialog?.showModal();
  return dialog !== null;
}

function moveInList(step: number): boolean {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('a[data-row]')];
  const here = links.indexOf(document.activeElement as HTMLAnchorElement);
  const next = links[here < 0 ? 0 : Math.min(Math.max(here + step, 0), links.length - 1)];
  next?.focus();
  return next !== undefined;
}

/** `/` search, `g` then a letter to a page, `j` and `k` through the rows, `?` the list of keys. */
export function listenForKeys(): void {
  let goUntil = 0;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    const going = performance.now() < goUntil;
    goUntil = 0;
    let done = false;
    if (going) done = goTo(event.key);
    else if (event.key === 'g') goUntil = performance.now() + WAIT_MS;
    else if (event.key === '/') done = focusSearch();
    else if (event.key === '?') done = showKeys();
    else if (event.key === 'j') done = moveInList(1);
    else if (event.key === 'k') done = moveInList(-1);
    if (done) event.preventDefault();
  });
  document.querySelectorAll('[data-show-keys]').forEach((button) => button.addEventListener('click', showKeys));
}
