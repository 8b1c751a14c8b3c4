import { createRootRoute, createRoute, createRouter, redirect } from "@tanstack/react-router";
import { Crashed, NotFound } from "./app/Fallbacks";
import { Shell } from "./app/Shell";
import { parseActivitySearch, parseSearch, parseServiceSearch, parseSLOPageSearch, parseSLOSearch, stringifySearch } from "./app/urlState";
import { ActivityPage } from "./pages/activity/ActivityPage";
import { NowPage } from "./pages/now/NowPage";
import { ServicePage } from "./pages/services/ServicePage";
import { ServicesPage } from "./pages/services/ServicesPage";
import { SettingsPage } from "./pages/settings/SettingsPage";
import { SLOPage } from "./pages/slos/SLOPage";
import { SLOsPage } from "./pages/slos/SLOsPage";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const getParentRoute = () => root;

const routes = [
  createRoute({ getParentRoute, path: "/", component: NowPage }),
  createRoute({ getParentRoute, path: "/services", component: ServicesPage, validateSearch: parseServiceSearch }),
  createRoute({ getParentRoute, path: "/services/$name", component: ServicePage }),
  createRoute({ getParentRoute, path: "/slos", component: SLOsPage, validateSearch: parseSLOSearch }),
  createRoute({ getParentRoute, path: "/slos/$name", component: SLOPage, validateSearch: parseSLOPageSearch }),
  createRoute({ getParentRoute, path: "/activity", component: ActivityPage, validateSearch: parseActivitySearch }),
  createRoute({
    getParentRoute,
    path: "/settings",
    beforeLoad: () => {
      throw redirect({ to: "/settings/$section", params: { section: "people" }, replace: true });
    },
  }),
  createRoute({ getParentRoute, path: "/settings/$section", component: SettingsPage }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(routes),
  parseSearch: (text) => parseSearch(text),
  stringifySearch,
  defaultErrorComponent: Crashed,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
