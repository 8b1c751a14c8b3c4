import type { ComponentType } from "react";
import type { ServiceDetail } from "../../../api/types";
import type { TextKey } from "../../../i18n/texts";
import { activitySection } from "./activity";
import { alertsSection } from "./alerts";
import { definitionSection } from "./definition";
import { dependenciesSection } from "./dependencies";
import { slosSection } from "./slos";

/** What a room shows of a service. */
export interface ServiceSection {
  /** Names the section in the address: /services/checkout#slos. */
  id: string;
  title: TextKey;
  /** Sections stand in ascending order; leave room between numbers. */
  order: number;
  /** A link at the section's head. */
  More?: ComponentType<{ service: ServiceDetail }>;
  Body: ComponentType<{ service: ServiceDetail }>;
}

/** Every room's section; a new room adds one line. */
export const serviceSections: readonly ServiceSection[] = [
  slosSection, //
  alertsSection,
  dependenciesSection,
  activitySection,
  definitionSection,
].sort((a, b) => a.order - b.order);
