// Times in words ("3 minutes ago"); the server's exact local time stays as the tooltip.

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

function inWords(format: Intl.RelativeTimeFormat, seconds: number): string {
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(0, 'minute');
}

function refresh(format: Intl.RelativeTimeFormat): void {
  for (const element of document.querySelectorAll<HTMLTimeElement>('time[data-relative]')) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) continue;
    const words = inWords(format, (at - Date.now()) / 1000);
    if (!element.title) element.title = element.textContent?.trim() ?? '';
    if (element.textContent !== words) element.textContent = words;
  }
}

/** Put all `<time data-relative>` into words now, every half minute, and after each partial update. */
export function keepTimesFresh(): void {
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang || 'en', { numeric: 'auto' });
  refresh(format);
  setInterval(() => refresh(format), 30_000);
  document.addEventListener('htmx:after:swap', () => refresh(format));
}
