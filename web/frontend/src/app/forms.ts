// Small helps for ordinary forms.

/** Stop a second click from sending the same form twice, and bring the first faulty field into view. */
export function watchForms(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (event.defaultPrevented || form.method !== 'post') return;
    if (form.dataset.sending === 'yes') {
      event.preventDefault();
      return;
    }
    form.dataset.sending = 'yes';
    form.querySelectorAll('button[type=submit]').forEach((button) => button.setAttribute('aria-busy', 'true'));
  });
  // The browser may show the page again from its memory: forms must then be usable.
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll<HTMLFormElement>('form[data-sending]')) {
      delete form.dataset.sending;
      form.querySelectorAll('[aria-busy]').forEach((button) => button.removeAttribute('aria-busy'));
    }
  });
  document.getElementById('form-errors')?.focus();
}
