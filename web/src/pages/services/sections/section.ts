import type { ComponentType } from "react";
import type { ServiceDetail } from "../../../api/types";
import type { TextKey } from "../../../i18n/texts";

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
