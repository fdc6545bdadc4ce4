module github.com/etcdlbgen/etcdlbgen

go 1.26
