# etcd-nlb.tf

resource "aws_lb" "etcd" {
  name               = "etcd-lb"
  internal           = true
  load_balancer_type = "network"
  subnets            = var.private_subnets

  enable_deletion_protection = true
  enable_cross_zone_load_balancing = true

  tags = {
    Name = "etcd-cluster-lb"
  }
}

resource "aws_lb_target_group" "etcd_client" {
  name     = "etcd-client-tg"
  port     = 2379
  protocol = "TCP"
  vpc_id   = var.vpc_id

  health_check {
    protocol            = "TCP"
    port                = 2379
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  deregistration_delay = 30
}

resource "aws_lb_target_group_attachment" "etcd_nodes" {
  count            = 3
  target_group_arn = aws_lb_target_group.etcd_client.arn
  target_id        = element(aws_instance.etcd.*.id, count.index)
  port             = 2379
}

resource "aws_lb_listener" "etcd_client" {
  load_balancer_arn = aws_lb.etcd.arn
  port              = 2379
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.etcd_client.arn
  }
}

output "etcd_lb_dns" {
  value = aws_lb.etcd.dns_name
}
