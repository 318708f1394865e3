// Form fields that other answers hide. The server decides in the end; here they only go out of sight while one types.

interface Comparison {
  key: string;
  op: '=' | '!=';
  value: string;
}

/** The answer as text; none when nothing is given or when its field is hidden itself. */
function answerOf(form: HTMLFormElement, key: string): string | undefined {
  const field = form.querySelector(`[data-field="${CSS.escape(key)}"]`);
  if (field?.closest('[hidden]')) return undefined;
  const given = new FormData(form).get(key);
  return given === null || given === '' ? undefined : String(given);
}

function isHidden(form: HTMLFormElement, field: HTMLElement): boolean {
  const anyOf = JSON.parse(field.dataset.hide ?? '[]') as Comparison[][];
  return anyOf.some((allOf) =>
    allOf.every(({ key, op, value }) => (answerOf(form, key) === value) === (op === '=')),
  );
}

/** Conditions may build on each other, never in a circle: as many rounds as there are fields settle them. */
function update(form: HTMLFormElement): void {
  const fields = [...form.querySelectorAll<HTMLElement>('[data-hide]')];
  for (let round = 0; round < fields.length; round += 1) {
    const changed = fields.filter((field) => field.hidden !== isHidden(form, field));
    if (changed.length === 0) return;
    changed.forEach((field) => (field.hidden = !field.hidden));
  }
}

/** Hide and show the fields of the page's forms as the answers change. */
export function watchConditionalFields(): void {
  const forms = new Set([...document.querySelectorAll<HTMLElement>('form [data-hide]')].map((field) => field.closest('form')));
  for (const form of forms) {
    if (!form) continue;
    form.querySelectorAll('[data-hide-note]').forEach((note) => note.remove());
    form.addEventListener('input', () => update(form));
    update(form);
  }
}
