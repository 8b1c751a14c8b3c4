import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ServiceSection } from "./section";
import { journal } from "../../../api/queries";
import type { ServiceDetail } from "../../../api/types";
import { EntryList } from "../../../parts/Entry";
import { Empty, Loaded } from "../../../parts/Notice";

function Activity({ service }: { service: ServiceDetail }) {
  const { t } = useTranslation();
  const query = useQuery(journal({ subject: service.subject, limit: 10 }));
  return (
    <Loaded query={query}>
      {(data) => (data.items?.length ? <EntryList entries={data.items} /> : <Empty title={t("service.noActivity")}>{t("service.noActivityWhat")}</Empty>)}
    </Loaded>
  );
}

function More({ service }: { service: ServiceDetail }) {
  const { t } = useTranslation();
  return (
    <Link to="/activity" search={{ subject: service.subject }}>
      {t("now.allActivity")}
    </Link>
  );
}

export const activitySection: ServiceSection = { id: "activity", title: "nav.activity", order: 800, More, Body: Activity };
