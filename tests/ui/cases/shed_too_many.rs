use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(high, "0")] nothing => #[shed(high, "1")] nothing => #[shed(high, "2")] nothing => #[shed(high, "3")] nothing => #[shed(high, "4")] nothing => #[shed(high, "5")] nothing => #[shed(high, "6")] nothing => #[shed(high, "7")] nothing => #[shed(high, "8")] nothing => #[shed(high, "9")] nothing => #[shed(high, "10")] nothing => #[shed(high, "11")] nothing => #[shed(high, "12")] nothing => #[shed(high, "13")] nothing => #[shed(high, "14")] nothing => #[shed(high, "15")] nothing => #[shed(high, "16")] nothing => #[shed(high, "17")] nothing => #[shed(high, "18")] nothing => #[shed(high, "19")] nothing => #[shed(high, "20")] nothing => last
    }
}

fn main() {}
