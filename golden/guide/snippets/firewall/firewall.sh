# Firewall example (only allow LB to access etcd)
iptables -A INPUT -p tcp --dport 2379 -s 10.0.1.100 -j ACCEPT  # LB
iptables -A INPUT -p tcp --dport 2379 -j DROP  # Block all others

# Port 2380 (peer) should only allow other etcd nodes
iptables -A INPUT -p tcp --dport 2380 -s 10.0.1.0/24 -j ACCEPT  # etcd subnet
iptables -A INPUT -p tcp --dport 2380 -j DROP
