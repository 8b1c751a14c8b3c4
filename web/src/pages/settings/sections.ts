import type { ComponentType } from "react";
import type { TextKey } from "../../i18n/texts";
import { Channels } from "./Channels";
import { Journal } from "./Journal";
import { People } from "./People";
import { Sessions } from "./Sessions";
import { Sources } from "./Sources";
import { System } from "./System";
import { Tokens } from "./Tokens";

/** One page of the settings; a new room adds one line. */
export const settingsSections: readonly { id: string; title: TextKey; Body: ComponentType }[] = [
  { id: "people", title: "settings.people", Body: People },
  { id: "sessions", title: "settings.sessions", Body: Sessions },
  { id: "tokens", title: "settings.tokens", Body: Tokens },
  { id: "channels", title: "settings.channels", Body: Channels },
  { id: "sources", title: "settings.sources", Body: Sources },
  { id: "journal", title: "settings.journal", Body: Journal },
  { id: "system", title: "settings.system", Body: System },
];
