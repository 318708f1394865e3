// Links to small forms open as dialogs where the page holds one; without scripts they lead to the form's own page.

/** A click on `a[data-dialog=ID]` shows `dialog#ID`; a button `[data-close]` inside closes it, and focus goes back. */
export function watchDialogs(): void {
  document.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !(event.target instanceof Element)) return;
    const link = event.target.closest<HTMLAnchorElement>('a[data-dialog]');
    if (link) {
      const dialog = document.getElementById(link.dataset.dialog ?? '');
      if (!(dialog instanceof HTMLDialogElement)) return;
      event.preventDefault();
      dialog.showModal();
      return;
    }
    const close = event.target.closest('dialog [data-close]');
    if (close) {
      event.preventDefault();
      close.closest('dialog')?.close();
    }
  });
}
