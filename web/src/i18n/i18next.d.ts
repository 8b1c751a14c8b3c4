import "i18next";
import type { texts } from "./texts";

declare module "i18next" {
  interface CustomTypeOptions {
    keySeparator: false;
    nsSeparator: false;
    returnNull: false;
    resources: { translation: Record<keyof typeof texts, string> };
  }
}
