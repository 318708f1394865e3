// Diagrams on the order page (live states) and on the definition pages (problems on the drawing).
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import './styles/diagram.scss';
import { followStates } from './diagram/live';
import { showProblems } from './diagram/problems';
import { openDiagram } from './diagram/viewer';

for (const box of document.querySelectorAll<HTMLElement>('[data-xml-url]')) {
  void openDiagram(box).then((diagram) => {
    if (!diagram) return;
    if (box.dataset.stateUrl) followStates(diagram, box.dataset.stateUrl);
    if (box.dataset.problems !== undefined) showProblems(diagram);
  });
}
