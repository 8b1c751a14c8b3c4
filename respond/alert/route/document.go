package route

// Spec is the body of an AlertRouting document. Without a team it is the
// organisation's, and there is one of them; with a team it holds that team's
// routes, which hang below the organisation's last route.
type Spec struct {
	Team          string           `json:"team,omitempty" doc:"Whose alerts these routes are for, and who may change them. Absent: the organisation's own routes, of which there is one document." ja:"対象のチーム。変更もこのチームが行えます。省略すると組織全体のルートになり、1つだけ作れます。"`
	Route         Branch           `json:"route" doc:"The route that everything else hangs below. It has no matchers." ja:"最上位のルート。matchers は書けません。"`
	Receivers     []ReceiverSpec   `json:"receivers,omitempty" doc:"Who can be told. owner is always there: the escalation policy of the team that owns the service." ja:"受信先。owner(サービスを所有するチームのエスカレーションポリシー)は常に使えます。"`
	Inhibitions   []InhibitionSpec `json:"inhibitions,omitempty" doc:"Which alerts keep others from people." ja:"発生中に他のアラートの通知を抑止する規則。"`
	TimeIntervals []IntervalSpec   `json:"timeIntervals,omitempty" doc:"Times that routes can be muted in or limited to." ja:"ルートの無音・有効の時間帯。"`
}

// Branch is one route. What it leaves out it takes over from the route around
// it, time intervals and continue aside.
type Branch struct {
	Matchers            []string  `json:"matchers,omitempty" doc:"Which alerts it is for, in Alertmanager's syntax: severity=\"critical\", team=~\"shop|search\". All have to hold." ja:"対象のアラート。Alertmanager と同じ書き方(例: severity=\"critical\")。すべて満たすものに一致します。"`
	Receiver            string    `json:"receiver,omitempty" doc:"Who is told: a name from receivers, or owner." ja:"知らせる先。receivers の名前か owner。"`
	Continue            bool      `json:"continue,omitempty" doc:"Whether the routes after it are asked as well." ja:"一致しても後続のルートを調べるか。"`
	GroupBy             *[]string `json:"groupBy,omitempty" doc:"By which labels alerts are told of together; '...' is all of them, an empty list none." ja:"まとめるラベル。'...' はすべて、空のリストはまとめて1つ。"`
	GroupWait           string    `json:"groupWait,omitempty" doc:"Within which time alerts that join a new group are told of together; its first alert is told of at once. 30s by default." ja:"新しいグループに加わったアラートをまとめる時間。最初の1件はすぐに知らせます。既定は30s。"`
	GroupInterval       string    `json:"groupInterval,omitempty" doc:"How long to wait before telling of further alerts of a group; 5m by default." ja:"同じグループの追加分を知らせる間隔。既定は5m。"`
	RepeatInterval      string    `json:"repeatInterval,omitempty" doc:"After which time it is told again while it fires; 4h by default." ja:"発生が続くとき再度知らせる間隔。既定は4h。"`
	MuteTimeIntervals   []string  `json:"muteTimeIntervals,omitempty" doc:"Times in which nobody is told." ja:"知らせない時間帯。"`
	ActiveTimeIntervals []string  `json:"activeTimeIntervals,omitempty" doc:"The only times in which somebody is told." ja:"知らせる時間帯(この外では知らせません)。"`
	Routes              []Branch  `json:"routes,omitempty" doc:"The routes below, asked in order." ja:"下位のルート。上から順に調べます。"`
}

// ReceiverSpec is who can be told.
type ReceiverSpec struct {
	Name     string   `json:"name" doc:"What routes call it." ja:"ルートから参照する名前。"`
	Owner    bool     `json:"owner,omitempty" doc:"The escalation policy of the team that owns the service." ja:"サービスを所有するチームのエスカレーションポリシーに知らせるか。"`
	Policy   string   `json:"policy,omitempty" doc:"An escalation policy." ja:"エスカレーションポリシーの名前。"`
	Channels []string `json:"channels,omitempty" doc:"Notification channels." ja:"通知チャンネルの名前。"`
	Nobody   bool     `json:"nobody,omitempty" doc:"Tell nobody: the alert is kept and shown, and that is all." ja:"誰にも知らせない場合に true。アラートの記録と表示だけを行います。"`
}

// InhibitionSpec keeps alerts from people while another one fires.
type InhibitionSpec struct {
	Name           string   `json:"name,omitempty" doc:"What it is called in explanations." ja:"説明に出る名前。"`
	SourceMatchers []string `json:"sourceMatchers" doc:"The alert that inhibits." ja:"抑止するアラートの条件。"`
	TargetMatchers []string `json:"targetMatchers" doc:"The alerts that are inhibited." ja:"抑止されるアラートの条件。"`
	Equal          []string `json:"equal,omitempty" doc:"Labels that have to have the same value in both." ja:"両方で値が等しい必要のあるラベル。"`
}

// IntervalSpec is a named time that recurs: any of its parts.
type IntervalSpec struct {
	Name  string     `json:"name" doc:"What routes call it." ja:"ルートから参照する名前。"`
	Parts []PartSpec `json:"parts" doc:"The interval is any of these." ja:"時間帯。いずれかに当てはまれば有効です。"`
}

// PartSpec is a time that recurs: all that it says has to hold.
type PartSpec struct {
	Times       []TimesSpec `json:"times,omitempty" doc:"Times of day." ja:"時刻の範囲。"`
	Weekdays    []string    `json:"weekdays,omitempty" doc:"Days of the week: monday, or monday:friday." ja:"曜日(例: monday、monday:friday)。"`
	DaysOfMonth []string    `json:"daysOfMonth,omitempty" doc:"Days of the month: 1, 1:7; -1 is the last." ja:"日(例: 1、1:7。-1 は月末)。"`
	Months      []string    `json:"months,omitempty" doc:"Months: january:march, 1:3." ja:"月(例: january:march、1:3)。"`
	Years       []string    `json:"years,omitempty" doc:"Years: 2026, 2026:2028." ja:"年(例: 2026、2026:2028)。"`
	TimeZone    string      `json:"timeZone,omitempty" doc:"The zone of all this: Asia/Tokyo. UTC when absent." ja:"タイムゾーン(例: Asia/Tokyo)。省略時は UTC。"`
}

// TimesSpec is a time of day.
type TimesSpec struct {
	Start string `json:"start" doc:"From this time on: 09:00." ja:"開始時刻(例: 09:00)。"`
	End   string `json:"end" doc:"Before this time: 17:30, at most 24:00." ja:"終了時刻(例: 17:30)。最大 24:00。"`
}
