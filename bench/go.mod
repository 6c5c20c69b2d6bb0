module github.com/caregraph/caregraph/bench

go 1.26.0

require (
	github.com/lib/pq v1.12.3
	modernc.org/sqlite v1.60.1
)

require modernc.org/libc v1.77.1 // indirect; exactly what modernc.org/sqlite names
