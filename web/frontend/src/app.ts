// What every page needs: partial updates, live times, keys, menus, and honest answers when a request fails.
import 'htmx.org';
import './styles/app.scss';
import { watchConditionalFields } from './app/conditional-fields';
import { watchDialogs } from './app/dialogs';
import { watchForms } from './app/forms';
import { listenForKeys } from './app/keys';
import { watchMenus } from './app/menus';
import { watchRequests } from './app/requests';
import { watchTheme } from './app/theme-switch';
import { keepTimesFresh } from './app/times';

watchTheme();
watchMenus();
watchForms();
watchDialogs();
watchConditionalFields();
watchRequests();
listenForKeys();
keepTimesFresh();
