/** Where the page begins. */
import { render } from 'preact';
import { App } from './app.tsx';
import { applyTheme, currentTheme } from './theme.ts';

applyTheme(currentTheme());
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
