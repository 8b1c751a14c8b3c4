import { activitySection } from "./activity";
import { alertsSection } from "./alerts";
import { definitionSection } from "./definition";
import { dependenciesSection } from "./dependencies";
import type { ServiceSection } from "./section";
import { slosSection } from "./slos";

/** Every room's section; a new room adds one line. */
export const serviceSections: readonly ServiceSection[] = [
  slosSection, //
  alertsSection,
  dependenciesSection,
  activitySection,
  definitionSection,
].sort((a, b) => a.order - b.order);
