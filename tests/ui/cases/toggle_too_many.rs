use chain_ui::composed::*;

chain! {
    struct Gateway { toggles: Toggles }

    fn(request: Request) -> Reply {
        #[toggle("0")] nothing => #[toggle("1")] nothing => #[toggle("2")] nothing => #[toggle("3")] nothing => #[toggle("4")] nothing => #[toggle("5")] nothing => #[toggle("6")] nothing => #[toggle("7")] nothing => #[toggle("8")] nothing => #[toggle("9")] nothing => #[toggle("10")] nothing => #[toggle("11")] nothing => #[toggle("12")] nothing => #[toggle("13")] nothing => #[toggle("14")] nothing => #[toggle("15")] nothing => #[toggle("16")] nothing => #[toggle("17")] nothing => #[toggle("18")] nothing => #[toggle("19")] nothing => #[toggle("20")] nothing => #[toggle("21")] nothing => #[toggle("22")] nothing => #[toggle("23")] nothing => #[toggle("24")] nothing => #[toggle("25")] nothing => #[toggle("26")] nothing => #[toggle("27")] nothing => #[toggle("28")] nothing => #[toggle("29")] nothing => #[toggle("30")] nothing => #[toggle("31")] nothing => #[toggle("32")] nothing => last
    }
}

fn main() {}
