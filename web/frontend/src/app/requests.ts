// htmx requests: what a person hears when one fails, and where a lost login leads.

interface RequestDetail {
  ctx: { response?: { raw: Response; status: number }; text?: string };
}

function announce(text: string): void {
  const live = document.getElementById('live');
  if (!live) return;
  live.textContent = text;
  live.hidden = text === '';
}

function reasonIn(html: string): string {
  const page = new DOMParser().parseFromString(html, 'text/html');
  return page.querySelector('[data-error-detail]')?.textContent?.trim() ?? '';
}

/** Follow a redirect to another page, and show why a request was refused. */
export function watchRequests(): void {
  document.addEventListener('htmx:before:response', (event) => {
    const raw = (event as CustomEvent<RequestDetail>).detail.ctx.response?.raw;
    if (!raw?.redirected || new URL(raw.url).pathname === location.pathname) return;
    if (raw.url.includes('/login')) {
      event.preventDefault();
      location.reload(); // the server sends us to the login and back here
    }
  });
  document.addEventListener('htmx:response:error', (event) => {
    const { text } = (event as CustomEvent<RequestDetail>).detail.ctx;
    announce(reasonIn(text ?? '') || document.body.dataset.textFailed || '');
  });
  document.addEventListener('htmx:error', () => announce(document.body.dataset.textOffline ?? ''));
  document.addEventListener('htmx:before:request', () => announce(''));
}
