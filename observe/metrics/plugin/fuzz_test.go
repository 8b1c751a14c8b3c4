package plugin

import "testing"

func FuzzLinesOfAPluginDoNotPanic(f *testing.F) {
	f.Add([]byte(`{"id":1,"series":[{"labels":{"a":"b"},"points":[[60,1],[120,"NaN"]]}]}`))
	f.Add([]byte(`{"id":1,"error":{"kind":"invalid","message":"no"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := read(line)
		if err != nil {
			return
		}
		got, err := r.answer("x", request{Method: "range", From: 0, To: 1e6, Step: 60})
		if err != nil {
			return
		}
		for _, s := range got {
			for i := 1; i < len(s.Points); i++ {
				if s.Points[i].T < s.Points[i-1].T {
					t.Error("points out of order")
				}
			}
		}
	})
}
