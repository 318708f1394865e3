// The three theme buttons of the account menu; theme.ts remembers and applies the choice.

/** Show which theme is chosen, and pass a click on to theme.ts. */
export function watchTheme(): void {
  const buttons = document.querySelectorAll<HTMLButtonElement>('button[data-theme-choice]');
  const show = (): void => {
    const choice = document.documentElement.dataset.themeChoice;
    buttons.forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.themeChoice === choice)));
  };
  buttons.forEach((button) =>
    button.addEventListener('click', () => {
      document.dispatchEvent(new CustomEvent('kaitong:theme', { detail: button.dataset.themeChoice }));
      show();
    }),
  );
  show();
}
