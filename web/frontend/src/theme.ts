// Runs before the first paint (a plain script in the head): sets the colour theme and tells the styles that scripts run.
const root = document.documentElement;
const KEY = 'kaitong.theme';

function stored(): string {
  try {
    return localStorage.getItem(KEY) ?? 'auto';
  } catch {
    return 'auto'; // storage may be forbidden; the system's theme is then used
  }
}

const dark = matchMedia('(prefers-color-scheme: dark)');

function apply(choice: string): void {
  const theme = choice === 'auto' ? (dark.matches ? 'dark' : 'light') : choice;
  root.dataset.bsTheme = theme;
  root.dataset.themeChoice = choice;
}

root.classList.add('js');
apply(stored());
dark.addEventListener('change', () => apply(stored()));
document.addEventListener('kaitong:theme', (event) => {
  const choice = (event as CustomEvent<string>).detail;
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // not remembered, but still shown
  }
  apply(choice);
});
